// The contract as data: what is checked, written and read by it.

import * as s from "./runtime/shape.js";

@@SHAPES@@const functions: readonly s.FunctionSchema[] = [
@@FUNCTIONS@@];

export const service: s.ServiceSchema = {
  name: @@NAME@@,
  contract: @@HASH@@,
  guirpc: @@VERSION@@,
  functions: new Map(functions.map((fn) => [fn.name, fn])),
};
