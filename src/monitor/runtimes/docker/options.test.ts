import { describe, expect, it } from 'vitest'
import { toContainerView } from '../../docker/container-view.ts'
import { schema, selects } from './options.ts'

describe('runtimeOptions of a docker service', () => {
  it.each([[{ project: 'shop', service: 'api' }], [{ container: 'shop-api-1' }]])('accepts %j', (options) => {
    expect(schema.parse(options)).toEqual(options)
  })

  it.each([
    [{}],
    [{ project: 'shop' }],
    [{ service: 'api' }],
    [{ container: 'x', project: 'shop' }],
    [{ container: 'x', service: 'api' }],
    [{ container: '../x' }],
    [{ container: '' }],
    [{ container: 'x', image: 'y' }],
    [[]],
  ])('refuses %j', (options) => {
    expect(schema.safeParse(options).success).toBe(false)
  })
})

describe('an instance of a service', () => {
  const container = (name: string, labels: Record<string, string> = {}) =>
    toContainerView({ Id: 'ab'.repeat(32), Name: `/${name}`, Config: { Labels: labels } })
  const compose = (project: string, service: string, over: object = {}) =>
    container('x', { 'com.docker.compose.project': project, 'com.docker.compose.service': service, ...over })

  it.each([
    ['of its project and service', { project: 'shop', service: 'api' }, compose('shop', 'api'), true],
    ['of another project', { project: 'shop', service: 'api' }, compose('other', 'api'), false],
    ['of another service', { project: 'shop', service: 'api' }, compose('shop', 'web'), false],
    ['without labels', { project: 'shop', service: 'api' }, container('shop-api-1'), false],
    ['of its name', { container: 'cache' }, container('cache'), true],
    ['of another name', { container: 'cache' }, container('cache2'), false],
    [
      'of compose run',
      { project: 'shop', service: 'api' },
      compose('shop', 'api', { 'com.docker.compose.oneoff': 'True' }),
      false,
    ],
    ['of compose run, by name', { container: 'x' }, compose('s', 'a', { 'com.docker.compose.oneoff': 'True' }), false],
    ['of compose up', { container: 'x' }, compose('s', 'a', { 'com.docker.compose.oneoff': 'False' }), true],
  ])('a container %s', (_, options, view, expected) => {
    expect(selects(options, view)).toBe(expected)
  })
})
