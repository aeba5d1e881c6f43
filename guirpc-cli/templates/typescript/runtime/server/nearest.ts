// What was probably meant, and names that are listed in a header.

/** The nearest of the candidates, if it is near. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const near = candidates
    .filter((candidate) => name.length <= 8 * candidate.length)
    .map((candidate) => ({ candidate, distance: distance(name, candidate) }))
    .filter(({ candidate, distance }) => distance * 3 <= Math.max(candidate.length, 3))
    .sort((one, other) => one.distance - other.distance);
  return near[0]?.candidate;
}

/** How many letters have to be added, taken away, replaced or swapped. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[other.length] ?? 0;
}

const LONGEST = 255;
const LONGEST_NAME = 60;
const MORE = "; and more";

/** The arguments that a function does not take, each with the nearest one that it takes; no longer than a header should be. */
export function ignoredArguments(unknown: readonly string[], parameters: readonly string[]): string {
  let listed = "";
  for (const name of unknown) {
    const near = nearest(name, parameters);
    const short = JSON.stringify(name.slice(0, LONGEST_NAME)).slice(1, -1);
    const item = `${listed === "" ? "" : "; "}\`${short}${name.length > LONGEST_NAME ? "…" : ""}\`${near === undefined ? "" : `, did you mean \`${near}\`?`}`;
    if (Buffer.byteLength(listed + item + MORE) > LONGEST) {
      return listed === "" ? "one of a long name" : listed + MORE;
    }
    listed += item;
  }
  return listed;
}
