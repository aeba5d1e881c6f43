// The contract as data: what is checked, written and read by it.

import * as s from "./runtime/shape.js";

{{shapes}}const functions: readonly s.FunctionSchema[] = [
{{functions}}];

export const service: s.ServiceSchema = {
  name: {{name}},
  contract: {{hash}},
  guirpc: {{version}},
  functions: new Map(functions.map((fn) => [fn.name, fn])),
};
