// Speaks to a schema registry as programs with kafkajs do. Usage: node kafkajs.js URL register|encode|decode|look|refused
// The package is looked for in NODE_PATH.
const { SchemaRegistry, SchemaType, COMPATIBILITY } = require('@kafkajs/confluent-schema-registry')
const assert = require('assert')

const [url, job] = process.argv.slice(2)
const registry = () => new SchemaRegistry({ host: url, retry: { retries: 0 } })

const avro = (fields) => ({
  type: SchemaType.AVRO,
  schema: JSON.stringify({ type: 'record', name: 'Book', namespace: 'shop', fields }),
})
const title = { name: 'title', type: 'string' }
const price = { name: 'price', type: 'double' }
const schemas = {
  avro: avro([title, price, { name: 'tag', type: ['null', 'string'], default: null }]),
  json: {
    type: SchemaType.JSON,
    schema: JSON.stringify({
      type: 'object',
      properties: { title: { type: 'string' }, price: { type: 'number' } },
      required: ['title'],
      additionalProperties: false,
    }),
  },
  protobuf: {
    type: SchemaType.PROTOBUF,
    schema: 'syntax = "proto3";\npackage shop;\nmessage Book {\n  string title = 1;\n  double price = 2;\n  repeated int32 pages = 3;\n}\n',
  },
}
const values = {
  avro: { title: 'café', price: 12.5, tag: 'a' },
  json: { title: 'café', price: 12.5 },
  protobuf: { title: 'café', price: 12.5, pages: [1, 2, 300] },
}
const plain = (value) => JSON.parse(JSON.stringify(value))

const jobs = {
  // Prints "KIND ID" for each.
  async register() {
    for (const kind of Object.keys(schemas)) {
      const subject = `${kind}-value`
      const { id } = await registry().register(schemas[kind], { subject })
      // As by programs that start once more.
      assert.strictEqual((await registry().register(schemas[kind], { subject })).id, id)
      console.log(kind, id)
    }
    // The subject that the client makes of the schema's own name.
    assert.strictEqual((await registry().register(schemas.avro)).id, 1)
  },
  // Prints each value as a record for pg-produce --json, with its topic before it.
  async encode() {
    for (const kind of Object.keys(schemas)) {
      const client = registry()
      const id = await client.getLatestSchemaId(`${kind}-value`)
      const encoded = await client.encode(id, values[kind])
      assert.deepStrictEqual(plain(await registry().decode(encoded)), values[kind])
      console.log(kind, JSON.stringify({ value: { base64: encoded.toString('base64') } }))
    }
  },
  // Lines of base64 to lines of JSON.
  async decode() {
    const client = registry()
    for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
      console.log(JSON.stringify(await client.decode(Buffer.from(line, 'base64'))))
    }
  },
  async look() {
    const client = registry()
    for (const [index, kind] of Object.keys(schemas).entries()) {
      assert.strictEqual(await client.getRegistryId(`${kind}-value`, 1), index + 1)
      assert.strictEqual(await client.getRegistryIdBySchema(`${kind}-value`, schemas[kind]), index + 1)
      assert.ok(await client.getSchema(index + 1))
    }
    await assert.rejects(client.getSchema(99), { status: 404 })
    await assert.rejects(client.getLatestSchemaId('nobody'), { status: 404 })
    await assert.rejects(client.getRegistryIdBySchema('avro-value', avro([title])), /does not have this schema/)
  },
  async refused() {
    const subject = 'avro-value'
    const more = avro([title, price, { name: 'year', type: 'int' }])
    await assert.rejects(registry().register(more, { subject }), { status: 409, message: /READER_FIELD_MISSING_DEFAULT_VALUE/ })
    await assert.rejects(registry().register(schemas.avro, { subject, compatibility: COMPATIBILITY.FULL }), /Compatibility does not match/)
  },
}

jobs[job]().catch((error) => {
  console.error(error)
  process.exit(1)
})
