const MASK = '[redacted]'
const SECRET_NAME = String.raw`(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|cookie|signature)`
const VALUE = String.raw`(?:(?:bearer|basic|digest)\s{1,8})?(?:\\?"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s,;&}"']+)`

// Order matters: URLs first, since their user part may itself contain what looks like a key. Every repetition is bounded
// or ends at the first character outside its class, so that hostile text costs linear time.
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, MASK],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"']{1,768}@/gi, `$1${MASK}@`],
  [new RegExp(String.raw`(${SECRET_NAME}[\w.-]{0,64}[\\"']{0,3}\s{0,8}[:=]\s{0,8})${VALUE}`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`(--?${SECRET_NAME}\s{1,8})${VALUE}`, 'gi'), `$1${MASK}`],
  [/\b(bearer|basic|digest)\s{1,8}[\w~+/.=-]{6,}/gi, `$1 ${MASK}`],
  [/\beyJ[\w-]{8,2048}\.[\w-]{8,2048}\.[\w-]*/g, MASK],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bxox[abprs]-[\w-]{10,}/g, MASK],
]

/** Longer text is cut before it is looked at by `printable`. */
const MAX_INPUT = 16_384

/**
 * `text` without what looks like a secret: passwords in URLs, `password=…` and its kin, bearer tokens, private keys.
 * The only redactor in Medyk; whatever leaves the process as text goes through it.
 */
export function redact(text: string): string {
  return RULES.reduce((out, [pattern, replacement]) => out.replace(pattern, replacement), text)
}

/** One printable line: redacted, control characters and escape sequences made visible, at most `max` characters. */
export function printable(text: string, max = 300): string {
  const cut = text.length > MAX_INPUT
  const line = redact(text.slice(0, MAX_INPUT)).replace(
    // eslint-disable-next-line no-control-regex -- control characters are exactly what has to go
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  // Nearly all of it was secret, and what shows now ends where the text was cut: half a secret no longer looks like one.
  if (cut && line.length <= max) return `${MASK}…`
  // toWellFormed: a cut may go through the middle of a surrogate pair.
  return (line.length <= max ? line : `${line.slice(0, max - 1)}…`).toWellFormed()
}
