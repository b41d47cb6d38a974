// Checks a document with AsyncAPI's own parser, its Avro schemas included. Prints what is wrong; exit code 1 if anything is.
//
// usage: NODE_PATH=<node_modules of this folder's packages> node check.cjs FILE
const { fromFile, Parser } = require("@asyncapi/parser");
const { AvroSchemaParser } = require("@asyncapi/avro-schema-parser");

async function main(file) {
  const parser = new Parser({ schemaParsers: [AvroSchemaParser()] });
  const { document, diagnostics } = await fromFile(parser, file).parse();
  // Hints count, too, but for the one that there is a newer version of AsyncAPI: most tools read 3.0.
  const wrong = diagnostics.filter(({ code }) => code !== "asyncapi-latest-version");
  for (const { severity, code, message, path } of wrong) {
    console.log(`${file}: ${["error", "warning", "information", "hint"][severity]} ${code} at ${path.join(".")}: ${message}`);
  }
  if (!document || wrong.length > 0) {
    process.exit(1);
  }
  const topics = document.channels().all().length;
  console.log(`${topics} channels, ${document.messages().all().length} messages, ${document.operations().all().length} operations`);
}

main(process.argv[2]);
