/** Bytes appended to one growing buffer: a sender of single bytes costs no quadratic copying. */
export class ByteSink {
  #buffer = Buffer.allocUnsafe(1_024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A view, valid until the next append. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.byteLength
    if (needed > this.#buffer.byteLength) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.byteLength))
      this.#buffer.copy(grown, 0, 0, this.#length)
      this.#buffer = grown
    }
    this.#buffer.set(chunk, this.#length)
    this.#length = needed
  }
}
