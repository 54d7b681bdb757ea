import { defineConfig } from 'vitest/config'

const source = { resolve: { conditions: ['medyk-source'] }, ssr: { resolve: { conditions: ['medyk-source'] } } }
const common = { environment: 'node' as const, pool: 'forks' as const, execArgv: ['--conditions=medyk-source'] }

export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          ...common,
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'examples/**/*.test.ts',
            'scripts/**/*.test.mjs',
            'test/architecture/**/*.test.ts',
            'test/drift/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**'],
        },
      },
      {
        ...source,
        test: {
          ...common,
          name: 'integration',
          include: ['test/{integration,faults,browser}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Real servers and real processes on two cores: suites that run side by side would measure each other.
          fileParallelism: false,
        },
      },
    ],
  },
})
