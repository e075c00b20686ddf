// The issues of a GLB file as JSON: node validate.js FILE, where gltf-validator is installed.
const {readFileSync} = require("fs"), {join} = require("path");
const {validateBytes} = require(join(process.env.NEUS_NODE_MODULES, "gltf-validator"));
validateBytes(new Uint8Array(readFileSync(process.argv[2])), {maxIssues: 100})
  .then((report) => console.log(JSON.stringify(report)), (error) => { console.error(error); process.exit(1); });
