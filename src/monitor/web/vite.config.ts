import { defineConfig } from 'vite'

// The daemon that `vite dev` shows; the built page asks whoever served it.
const daemon = `http://127.0.0.1:${process.env['MEDYK_PORT'] ?? '7700'}`

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page works behind a path prefix.
  base: './',
  cacheDir: '../../../node_modules/.vite/dashboard',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': daemon, '/health': daemon, '/ready': daemon, '/metrics': daemon },
  },
})
