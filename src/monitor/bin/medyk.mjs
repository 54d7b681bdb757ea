#!/usr/bin/env node
// Checked before anything is imported: an old Node would fail on syntax, with a message that helps nobody.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(`medyk needs Node 24 or later; this is ${process.version} (${process.execPath}).\n`)
  process.exit(2)
}
// The source runs as it is under --conditions=medyk-source, the dev loop; else the build.
const source = process.execArgv.some((argument) => argument.includes('medyk-source'))
const { main } = await import(source ? '../cli/main.ts' : '../dist/cli/main.js')
await main(process.argv)
