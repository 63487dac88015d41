// The packages that can be imported here, with their versions.
import { readFileSync } from "node:fs";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
for (const name of Object.keys(dependencies).sort()) {
  await import(name);
  const manifest = readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8");
  console.log(`${name}@${JSON.parse(manifest).version}`);
}
