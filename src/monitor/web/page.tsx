import { useEffect } from 'preact/hooks'
import { DependencyGraph } from './graph/graph.tsx'
import { Footer, Header, Hero } from './parts/header.tsx'
import { Incidents } from './parts/incidents.tsx'
import { Services } from './parts/services.tsx'
import { loaded, overall, stale, views } from './state/store.ts'

export function Page() {
  const title = !loaded.value ? 'Medyk' : `${stale.value ? '(old) ' : ''}${overall.value.short} · Medyk`
  useEffect(() => {
    document.title = title
  }, [title])

  return (
    <div class={`page${stale.value && loaded.value ? ' is-stale' : ''}`}>
      <Header />
      <main>
        <Hero />
        {loaded.value && (
          <div class="cards">
            {views.value.length > 0 && <DependencyGraph />}
            <Incidents />
            {views.value.length > 0 && <Services />}
          </div>
        )}
      </main>
      <Footer />
    </div>
  )
}
