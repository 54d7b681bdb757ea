import { render } from 'preact'
import { Page } from './page.tsx'
import { connect } from './state/connection.ts'
import { handlers, tick } from './state/store.ts'
import './styles/page.css'

/** A browser allows few connections to one server; a page that nobody sees gives its own back after this long. */
const HIDDEN_MS = 60_000

setInterval(tick, 1_000)

let disconnect: (() => void) | null = connect('./api/v1/', handlers)
let leaving: ReturnType<typeof setTimeout> | undefined
document.addEventListener('visibilitychange', () => {
  clearTimeout(leaving)
  if (document.hidden) {
    leaving = setTimeout(() => {
      disconnect?.()
      disconnect = null
    }, HIDDEN_MS)
  } else {
    tick()
    disconnect ??= connect('./api/v1/', handlers)
  }
})

const root = document.getElementById('page')
if (root) render(<Page />, root)
