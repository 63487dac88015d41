// Unpacks Chromium, its fonts and the libraries it needs into the temporary directory (TMPDIR) and prints them.
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import chromium, { inflate } from "@sparticuz/chromium";

const packed = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..", "bin");
const executable = await chromium.executablePath();
await inflate(join(packed, "al2023.tar.br"));
console.log(
  JSON.stringify({ executable, fonts: join(tmpdir(), "fonts"), libraries: join(tmpdir(), "al2023", "lib") }),
);
