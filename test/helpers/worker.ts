import { runWorker } from '../../src/run-worker'
import { type WorkerRole, workerRoles } from '../../src/work'
import { lowBounds } from './bounds'

// A worker process as those of workers/, with low bounds; its arguments are its roles, all when there are none.
const roles = process.argv.slice(2) as WorkerRole[] // written by worker-process.ts
void runWorker(roles.length > 0 ? roles : workerRoles, lowBounds)
