export interface Requirement {
  readonly name: string
  readonly programs: readonly string[]
  readonly folders?: readonly string[]
  readonly debian: readonly string[]
  readonly release?: string
  readonly suites: string
}
export const requirements: readonly Requirement[]
export function which(programs: readonly string[], path?: string): string | null
export function locate(name: string): string | null
export function has(name: string): boolean
export function missing(): Requirement[]
export function canInstall(): boolean
