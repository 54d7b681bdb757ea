export interface Mirror {
  readonly uri: string
  readonly suite: string
}
export function findMirror(texts: readonly string[], suite: string): Mirror | null
export function debianMirror(): Mirror | null
export function debianKeyring(): string | null
