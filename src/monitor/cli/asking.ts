import { Command, InvalidArgumentError } from 'commander'
import { ApiClient, apiBase } from './client.ts'
import { tokenOf } from './token.ts'

export interface AskOptions {
  readonly url?: string
  readonly json?: boolean
  readonly tokenFile?: string
}

/** A command that asks the daemon. */
export function asking(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--url <url>', 'where the daemon is (default: MEDYK_URL, or http://127.0.0.1:7700)')
    .option('--token-file <file>', 'file with the token to send (default: the token in MEDYK_TOKEN)')
    .option('--json', 'print the API’s answer as JSON')
}

export const clientOf = ({ url, tokenFile }: AskOptions) =>
  new ApiClient(apiBase(url, process.env), tokenOf(tokenFile, process.env))

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** For the option `--limit`. */
export const upTo =
  (max: number) =>
  (text: string): number => {
    const count = Number(text)
    if (Number.isInteger(count) && count >= 1 && count <= max) return count
    throw new InvalidArgumentError(`expected a number from 1 to ${max}`)
  }
