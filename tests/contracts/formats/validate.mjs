// Checks a document: `node --input-type=module - asyncapi|openapi FILE`, in a folder that has both packages.
// Prints what is wrong with it, a line for each.
import { readFile } from "node:fs/promises";

const checks = {
    async asyncapi(file) {
        const { Parser } = await import("@asyncapi/parser");
        const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf8"));
        const problems = diagnostics.map(({ path, message }) => `${path.join("/")}: ${message}`);
        return document || problems.length ? problems : ["no document"];
    },
    async openapi(file) {
        const { Validator } = await import("@seriousme/openapi-schema-validator");
        const validator = new Validator();
        const { valid, errors } = await validator.validate(file);
        if (!valid) return [errors].flat().map((error) => JSON.stringify(error));
        return validator.version === "3.1" ? [] : [`it was read as version ${validator.version}`];
    },
};

const [format, file] = process.argv.slice(2);
for (const problem of await checks[format](file)) console.log(problem);
