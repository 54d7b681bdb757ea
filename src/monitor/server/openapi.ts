import { OpenAPIHono } from '@hono/zod-openapi'
import { allRoutes } from './routes.ts'

const DESCRIPTION =
  'What Medyk knows: services, their instances, incidents and what was done about them. Times are ISO 8601 UTC; what is ' +
  'not known is null. Errors are application/problem+json. Changing needs the token of an operator, and leaves a row in the ' +
  'audit; reading needs a token only where the daemon was given one for viewers.'

/** The OpenAPI 3.1 document of what `app` has registered. */
export function openApiOf(app: Pick<OpenAPIHono, 'getOpenAPI31Document' | 'openAPIRegistry'>, version: string): object {
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token that the daemon was given: of a viewer, who may read, or of an operator, who may change',
  })
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Medyk', version, description: DESCRIPTION, license: { name: 'MIT' } },
    servers: [{ url: '/' }],
  })
}

/** The document without a server, for the copy that is committed. `version` is that of the package. */
export function openApiDocument(version: string): object {
  const app = new OpenAPIHono()
  for (const route of allRoutes) app.openAPIRegistry.registerPath(route)
  return openApiOf(app, version)
}

/** The text of `docs/api/openapi.json`. */
export function renderOpenApi(version: string): string {
  return `${JSON.stringify(openApiDocument(version), null, 2)}\n`
}
