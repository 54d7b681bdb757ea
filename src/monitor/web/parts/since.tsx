import { now } from '../state/store.ts'
import { ageText, localTime } from '../time.ts'

/** How long ago, ticking; the moment itself on hover and for machines. */
export function Since({ at, ago = false }: { at: string | null; ago?: boolean }) {
  if (at === null) return <span class="muted">unknown</span>
  const text = ageText(now.value - Date.parse(at))
  return (
    <time dateTime={at} title={localTime(at)}>
      {ago ? `${text} ago` : text}
    </time>
  )
}
