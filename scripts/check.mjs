// npm run check: types, lint, format and drift of generated files, without running a test.
import { runParts } from './lib/check-parts.mjs'

const { failed } = await runParts()
process.exitCode = failed === 0 ? 0 : 1
