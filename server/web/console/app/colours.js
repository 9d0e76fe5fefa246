// Which colour a member of a group has: the same on every page, and as long as it is a member.

const COLOURS = 8;
const byGroup = new Map(); // By group: a map from member id to its number.

/** To be told the members of a group before their colours are asked for. */
export function knowMembers({ summary: { group }, members }) {
  const known = byGroup.get(group) ?? new Map();
  const present = new Set(members.map(({ memberId }) => memberId));
  for (const id of known.keys()) if (!present.has(id)) known.delete(id);
  for (const id of present) {
    if (known.has(id)) continue;
    const used = [...known.values()];
    let number = firstOf(group);
    while (used.filter((other) => other === number % COLOURS).length > Math.floor(used.length / COLOURS))
      number += 1;
    known.set(id, number % COLOURS);
  }
  byGroup.set(group, known);
}

// Groups begin with different colours, so that two beside each other are not taken for one.
function firstOf(group) {
  return [...group].reduce((sum, character) => (sum * 3 + character.codePointAt(0)) % COLOURS, 0);
}

/** "m0" to "m7", or "" where nobody has it. */
export function colourOf(group, memberId) {
  const number = byGroup.get(group)?.get(memberId);
  return number === undefined ? "" : `m${number}`;
}
