import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, statSync } from 'node:fs'
import { delimiter, dirname, resolve } from 'node:path'
import { MedykError, messageOf, printable } from '@medyk/health/internal'
import type { ProcessOptions } from './options.ts'
import { openOutput } from './output.ts'

/** By it a process is known as ours even when the daemon died before it wrote down the pid. */
export const TOKEN_VARIABLE = 'MEDYK_INSTANCE_TOKEN'

// Not NODE_OPTIONS: the daemon's own (an inspector's port, import conditions) is not the service's. No proxies: they hold passwords.
const INHERITED =
  /^(?:HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|NODE_ENV|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR))$/

/** What may pass by itself; everything else will fail the same way next time. */
const TEMPORARY = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY', 'EIO', 'ENOSPC', 'EINTR'])

/** The environment of a service: a few inherited variables, what the config says, and the token. */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  options: ProcessOptions,
  token: string,
): Record<string, string> {
  const inherited = Object.entries(parent).filter(([name, value]) => INHERITED.test(name) && value !== undefined)
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    // A service whose command is `node` runs under the Node that runs the daemon.
    PATH: [dirname(process.execPath), parent.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
    ...options.env,
    [TOKEN_VARIABLE]: token,
  }
}

/**
 * Starts the program in a session of its own, so that neither the daemon's death nor its terminal ends it. Rejects with
 * ERR_START or ERR_START_IMPOSSIBLE.
 */
export async function launch(
  service: string,
  options: ProcessOptions,
  token: string,
  outputDirectory: string,
): Promise<ChildProcess & { readonly pid: number }> {
  const wrong = options.cwd === undefined ? null : whatIsWrongWith(options.cwd)
  if (wrong !== null) throw impossible(service, `directory ${quoted(options.cwd ?? '')} ${wrong}`, 'cwd')
  let output: number
  try {
    output = openOutput(outputDirectory)
  } catch (error) {
    throw new MedykError('ERR_START', `service "${service}": its log cannot be opened: ${messageOf(error)}`, {
      hint: 'check space and permissions of the state directory',
      cause: error,
    })
  }
  try {
    const [program = '', ...args] = options.command
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: childEnvironment(process.env, options, token),
      stdio: ['ignore', output, output],
      detached: true,
      shell: false,
    })
    // Also keeps a later 'error' from becoming an uncaught one.
    const failed = new Promise<Error>((tell) => child.on('error', tell))
    if (child.pid === undefined) throw await failed
    return child as ChildProcess & { readonly pid: number }
  } catch (error) {
    throw explain(service, options, error as NodeJS.ErrnoException)
  } finally {
    closeSync(output)
  }
}

/** Looked at beforehand, since spawn says ENOENT of the program when it is the directory that is missing. */
function whatIsWrongWith(directory: string): string | null {
  try {
    const found = statSync(directory, { throwIfNoEntry: false })
    return found?.isDirectory() ? null : found ? 'is not a directory' : 'does not exist'
  } catch (error) {
    return `cannot be entered (${(error as NodeJS.ErrnoException).code})`
  }
}

function explain(service: string, options: ProcessOptions, error: NodeJS.ErrnoException): MedykError {
  const program = options.command[0] ?? ''
  const code = error.code ?? ''
  if (TEMPORARY.has(code)) {
    return new MedykError('ERR_START', `service "${service}": ${quoted(program)} cannot be started now (${code})`, {
      hint: 'the machine is short of processes, descriptors or memory, or the file is being written',
      cause: error,
    })
  }
  const where = program.includes('/') ? resolve(options.cwd ?? '.', program) : null
  const reason =
    code === 'ENOENT'
      ? where === null
        ? `command ${quoted(program)} is not on PATH`
        : existsSync(where)
          ? `command ${quoted(program)} needs an interpreter that does not exist`
          : `command ${quoted(program)} does not exist`
      : code === 'EACCES'
        ? `command ${quoted(program)} may not be executed`
        : `command ${quoted(program)} cannot be executed (${code || messageOf(error)})`
  return impossible(service, `${reason}, in ${quoted(options.cwd ?? process.cwd())}`, 'command', error)
}

/** Arguments never appear: they may be secrets. */
const quoted = (text: string) => `"${printable(text, 200)}"`

function impossible(service: string, reason: string, option: string, cause?: unknown): MedykError {
  return new MedykError('ERR_START_IMPOSSIBLE', `service "${service}": ${reason}`, {
    hint: `correct runtimeOptions.${option} of this service`,
    cause,
  })
}
