export const root: string
export const projectNode: string
export function at(...parts: string[]): string
export function bin(name: string, ...args: string[]): string[]
