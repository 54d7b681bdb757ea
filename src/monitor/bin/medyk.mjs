#!/usr/bin/env node
// Checked before anything is imported: an old Node would fail on syntax, with a message that helps nobody.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(`medyk needs Node 24 or later; this is ${process.version} (${process.execPath}).\n`)
  process.exit(2)
}
// The source runs as it is under --conditions=medyk-source, the dev loop; else the build.
const source = process.execArgv.some((argument) => argument.includes('medyk-source'))
// A daemon runs for months beside what it watches: with these a quarter of its memory is saved, and what it costs is speed
// that it does not need. They count from the start of the process only, so it becomes another one, with the same pid.
const lean = ['--max-semi-space-size=1', '--optimize-for-size', '--v8-pool-size=1', '--no-opt', '--no-maglev']
if (process.argv[2] === 'serve' && !source && !process.execArgv.includes(lean[0]) && process.platform === 'linux') {
  try {
    const flags = ['--disable-warning=ExperimentalWarning', ...lean, ...process.execArgv]
    const env = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536', ...process.env }
    process.execve(process.execPath, [process.execPath, ...flags, ...process.argv.slice(1)], env)
  } catch {
    // As it is then: larger, and no worse.
  }
}
const { main } = await import(source ? '../cli/main.ts' : '../dist/bundle/main.js')
await main(process.argv)
