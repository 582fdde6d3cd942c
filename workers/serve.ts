import { runServer } from '../src/serve'

void runServer()
