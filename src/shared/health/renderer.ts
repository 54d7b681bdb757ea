import { isoSeconds, type Endpoint, type Evaluation, type Identity } from './report.ts'

/** What to send for an endpoint. The body is JSON in UTF-8; do not write to it. */
export interface Answer {
  readonly status: 200 | 503
  readonly body: Uint8Array<ArrayBuffer>
}

interface Template {
  readonly status: 200 | 503
  /** The body around the timestamp and the uptime. */
  readonly parts: readonly [string, string, string]
}

interface Rendered {
  readonly second: number
  readonly uptimeSeconds: number
  readonly answer: Answer
}

/**
 * Answers prepared ahead: a template per endpoint that lives until something changes, with time and uptime filled in once
 * a second. So the cost of a request does not depend on the number of checks.
 */
export class Renderer {
  readonly #identity: Identity
  readonly #evaluate: (endpoint: Endpoint) => Evaluation
  readonly #lastError: () => string | null
  readonly #templates = new Map<Endpoint, Template>()
  readonly #rendered = new Map<Endpoint, Rendered>()

  constructor(identity: Identity, evaluate: (endpoint: Endpoint) => Evaluation, lastError: () => string | null) {
    this.#identity = identity
    this.#evaluate = evaluate
    this.#lastError = lastError
  }

  invalidate(): void {
    this.#templates.clear()
    this.#rendered.clear()
  }

  answer(endpoint: Endpoint, wallMs: number, uptimeSeconds: number): Answer {
    const second = Math.floor(wallMs / 1_000)
    const last = this.#rendered.get(endpoint)
    if (last?.second === second && last.uptimeSeconds === uptimeSeconds) return last.answer
    const { status, parts } = this.#template(endpoint)
    const text = `${parts[0]}${isoSeconds(wallMs)}${parts[1]}${uptimeSeconds}${parts[2]}`
    const answer = { status, body: new TextEncoder().encode(text) }
    this.#rendered.set(endpoint, { second, uptimeSeconds, answer })
    return answer
  }

  #template(endpoint: Endpoint): Template {
    const known = this.#templates.get(endpoint)
    if (known) return known
    const { service, version } = this.#identity
    const { status, code, checks } = this.#evaluate(endpoint)
    const template: Template = {
      status: code,
      parts: [
        `{"status":${json(status)},"timestamp":"`,
        `","service":${json(service)},"version":${json(version)},"checks":${json(Object.fromEntries(checks))},"metadata":{"uptime_seconds":`,
        `,"last_error":${json(this.#lastError())}}}`,
      ],
    }
    this.#templates.set(endpoint, template)
    return template
  }
}

const json = (value: unknown) => JSON.stringify(value)
