/**
 * Named points at which tests let a process fail. `ENTREPOT_FAULT="stage.afterChunk:3:kill"` arms one: at the third time
 * that the process comes by, it is killed. Several are separated by commas. Unarmed, a point costs one comparison.
 *
 * Actions: `kill` (SIGKILL), `stop` (SIGSTOP: the process is paused until SIGCONT), `throw` (an Error), `exit` (code 70).
 */
export function faultPoint(name: string): void {
  if (armed === undefined) return
  for (const fault of armed) {
    if (fault.name === name && ++fault.passed === fault.nth) act(name, fault.action)
  }
}

type FaultAction = (typeof actions)[number]
const actions = ['kill', 'stop', 'throw', 'exit'] as const

interface Fault {
  readonly name: string
  readonly nth: number
  readonly action: FaultAction
  passed: number
}

let armed = parseFaults(process.env.ENTREPOT_FAULT)

/** Arms points in this process in place of those of the environment; undefined disarms all. For tests. */
export function armFaults(text: string | undefined): void {
  armed = parseFaults(text)
}

function parseFaults(text: string | undefined): Fault[] | undefined {
  if (!text) return undefined
  return text.split(',').map((part) => {
    const [, name = '', nth, word] = /^([\w.-]+):(\d+):(\w+)$/.exec(part.trim()) ?? []
    const action = actions.find((known) => known === word)
    // A fault that is misspelt and never happens would make its test pass.
    if (action === undefined) throw new Error(`ENTREPOT_FAULT '${part}' is not <name>:<nth>:<${actions.join('|')}>`)
    return { name, nth: Number(nth), action, passed: 0 }
  })
}

function act(name: string, action: FaultAction): void {
  switch (action) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      return
    case 'stop':
      process.kill(process.pid, 'SIGSTOP')
      return
    case 'exit':
      process.exit(70)
      break
    case 'throw':
      throw new Error(`Fault at ${name}`)
    default:
      action satisfies never
  }
}
