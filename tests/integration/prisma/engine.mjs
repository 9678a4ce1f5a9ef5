// Stands in for Prisma's native schema engine: JSON-RPC on standard input and output around its WebAssembly build.
import fs from 'node:fs'
import readline from 'node:readline'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Client } = require('pg')
const { PrismaPg } = require('@prisma/adapter-pg')
const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils')

// Types "char" and name, which the adapter doesn't know, are shown to it as text.
const TEXT = 25
const UNKNOWN_TO_ADAPTER = [18, 19]

const datamodels = []
let url = process.env.DATABASE_URL
let command = null
const words = process.argv.slice(2)
while (words.length > 0) {
  const word = words.shift()
  if (word === '--datamodels') {
    const file = words.shift()
    datamodels.push([file, fs.readFileSync(file, 'utf8')])
  } else if (word === '--datasource') {
    const value = words.shift()
    url = value.startsWith('{') ? JSON.parse(value).url : value
  } else if (word === 'cli') {
    command = words.shift()
  }
}

const parsed = new URL(url)
const schema = parsed.searchParams.get('schema') ?? undefined
const connection = {
  host: parsed.hostname,
  port: Number(parsed.port || 5432),
  user: decodeURIComponent(parsed.username),
  password: decodeURIComponent(parsed.password),
  database: parsed.pathname.slice(1),
  max: 1,
}

const log = (level, fields) =>
  process.stderr.write(JSON.stringify({ level, fields, target: 'schema_engine::logger' }) + '\n')

// "cli can-connect-to-database" and its kin: one connection, one answer by exit code.
async function answerCommand() {
  try {
    const client = new Client(connection)
    await client.connect()
    await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema ?? 'public'}"`)
    await client.end()
    process.exit(0)
  } catch (error) {
    const codes = { '3D000': 'P1003', '28P01': 'P1000', 28000: 'P1010' }
    log('ERROR', { error_code: codes[error.code] ?? 'P1001', message: error.message })
    process.exit(1)
  }
}

// One session for the whole run, since the advisory lock lives on it; each script goes to the server in one piece.
function oneSession(factory) {
  const connect = factory.connect.bind(factory)
  factory.connect = async () => {
    const adapter = await connect()
    const client = new Client(connection)
    client.on('error', () => {})
    await client.connect()
    adapter.client = client
    if (schema) await client.query(`SET search_path = "${schema}"`)
    const perform = adapter.performIO.bind(adapter)
    adapter.performIO = async (query) => {
      const result = await perform(query)
      for (const field of result.fields ?? [])
        if (UNKNOWN_TO_ADAPTER.includes(field.dataTypeID)) field.dataTypeID = TEXT
      return result
    }
    adapter.executeScript = async (script) => {
      try {
        await client.query(script)
      } catch (error) {
        adapter.onError(error)
      }
    }
    return adapter
  }
  return factory
}

async function loadEngine() {
  const folder = new URL('./node_modules/@prisma/schema-engine-wasm/', import.meta.url)
  const glue = await import(new URL('schema_engine_bg.js', folder))
  const module = new WebAssembly.Module(fs.readFileSync(new URL('schema_engine_bg.wasm', folder)))
  const instance = new WebAssembly.Instance(module, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return glue.SchemaEngine
}

async function serve() {
  const SchemaEngine = await loadEngine()
  const factory = oneSession(new PrismaPg(connection, schema ? { schema } : undefined))
  let engine
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const call = JSON.parse(line)
    if (!call.method) continue
    const answer = { jsonrpc: '2.0', id: call.id }
    try {
      engine ??= await SchemaEngine.new(
        { datamodels: datamodels.length > 0 ? datamodels : undefined },
        () => {},
        bindMigrationAwareSqlAdapterFactory(factory),
      )
      answer.result = (await engine[call.method](call.params ?? {})) ?? null
    } catch (error) {
      const data = { is_panic: false, message: error.message }
      if (error.code) Object.assign(data, { meta: {}, error_code: error.code })
      answer.error = { code: 4466, message: error.message, data }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
  process.exit(0)
}

await (command ? answerCommand() : serve())
