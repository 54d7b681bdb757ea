const MASK = '[redacted]'
// No prefix and a bounded suffix: with `[\w.-]*` on both sides a hostile megabyte of `a.a.a.` would take minutes.
const SECRET_NAME = String.raw`(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|cookie)[\w.-]{0,64}`

// Order matters: URLs first, since their user part may itself contain what looks like a key.
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@:"']{0,256}:[^\s/"']{1,512}@/gi, `$1${MASK}@`],
  [/\b(bearer|basic|digest)\s+[\w~+/.=-]{6,}/gi, `$1 ${MASK}`],
  [new RegExp(String.raw`(${SECRET_NAME}["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&}"']+)`, 'gi'), `$1${MASK}`],
  [/\beyJ[\w-]{8,2048}\.[\w-]{8,}\.[\w-]*/g, MASK],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bxox[abprs]-[\w-]{10,}/g, MASK],
]

/**
 * `text` without what looks like a secret: passwords in URLs, `password=…` and its kin, bearer tokens, private keys.
 * The only redactor in Medyk; whatever leaves the process as text goes through it.
 */
export function redact(text: string): string {
  return RULES.reduce((out, [pattern, replacement]) => out.replace(pattern, replacement), text)
}

/** One printable line: redacted, control characters and escape sequences made visible, at most `max` characters. */
export function printable(text: string, max = 300): string {
  const line = redact(text.slice(0, max * 8)).replace(
    // eslint-disable-next-line no-control-regex -- control characters are exactly what has to go
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`
}
