export const defaultPorts: Readonly<
  Record<'medyk' | 'rtsp' | 'camera' | 'rtsp-capture' | 'frame-buffer' | 'metadata-storage' | 'frame-tracking', number>
>
export function portVariable(name: string): string
export function portsFrom(env: Readonly<Record<string, string | undefined>>): Record<string, number>
export function exampleConfig(options: {
  readonly ports: Readonly<Record<string, number>>
  readonly root: string
  readonly state: string
  readonly data?: string
  readonly databaseUrl?: string
}): string
