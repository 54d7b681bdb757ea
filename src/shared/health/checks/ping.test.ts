import { describe, expect, it } from 'vitest'
import { ping } from './ping.ts'

const signal = () => AbortSignal.timeout(20_000)

describe('ping', () => {
  it.each([['PONG'], [undefined], [true], [{ rows: [] }], [0]])('takes the answer %j for healthy', async (answer) => {
    expect(await ping(() => Promise.resolve(answer))(signal())).toMatchObject({
      status: 'healthy',
      data: { tookMs: expect.any(Number) },
    })
  })

  it('takes false for unhealthy, and whatever does not satisfy what is expected', async () => {
    expect(await ping(() => false)(signal())).toMatchObject({ status: 'unhealthy' })
    const check = ping(() => 'LOADING', { expect: (answer) => answer === 'PONG' })
    expect(await check(signal())).toMatchObject({ status: 'unhealthy', message: 'the answer is not the expected one' })
  })

  it('takes a slow answer for degraded, where told what slow is', async () => {
    const slow = () => new Promise((resolve) => setTimeout(resolve, 40))
    expect(await ping(slow, { slowMs: 5 })(signal())).toMatchObject({
      status: 'degraded',
      message: expect.stringMatching(/^answered after \d+ ms, slower than 5 ms$/),
    })
    expect(await ping(slow, { slowMs: 10_000 })(signal())).toMatchObject({ status: 'healthy' })
  })

  it.each([
    ['a rejection', () => Promise.reject(new Error('NOAUTH'))],
    [
      'a throw',
      () => {
        throw new Error('NOAUTH')
      },
    ],
  ])('passes on %s', async (_, fn) => {
    await expect(ping(fn)(signal())).rejects.toThrow('NOAUTH')
  })

  it('hands its signal on', async () => {
    let seen: AbortSignal | undefined
    const own = signal()
    await ping((given) => void (seen = given))(own)
    expect(seen).toBe(own)
  })

  it('has no second ping under way while the first is unanswered, and asks again once it is', async () => {
    const answers: PromiseWithResolvers<string>[] = []
    const check = ping(() => {
      const answer = Promise.withResolvers<string>()
      answers.push(answer)
      return answer.promise
    })
    const controller = new AbortController()
    const first = check(controller.signal) as Promise<unknown>
    controller.abort(new Error('time is up'))
    await expect(first).rejects.toThrow('time is up')
    await expect(check(signal())).rejects.toThrow(/^no answer for \d/)
    expect(answers).toHaveLength(1)
    answers[0]?.resolve('at last')
    await new Promise((resolve) => setImmediate(resolve))
    const second = check(signal())
    answers[1]?.resolve('PONG')
    expect(await second).toMatchObject({ status: 'healthy' })
  })

  it('swallows a rejection that comes after its signal', async () => {
    const answer = Promise.withResolvers<never>()
    const controller = new AbortController()
    const result = ping(() => answer.promise)(controller.signal) as Promise<unknown>
    controller.abort(new Error('time is up'))
    await expect(result).rejects.toThrow('time is up')
    answer.reject(new Error('too late'))
    await new Promise((resolve) => setImmediate(resolve))
  })
})
