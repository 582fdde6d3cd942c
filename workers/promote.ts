import { runWorker } from '../src/run-worker'

void runWorker(['promote'])
