/** So many records whose key occurred before are listed; with more the database looks through all. */
const maxRepeats = 20_000
/** Beyond this many keys the set gives up: 4 million take 64 MB, and the database can look for itself. */
const maxKeys = 4_000_000

/**
 * Remembers hashes (64 bits) of keys, to tell cheaply that no key of a file occurs twice: a set in flat memory, with open
 * addressing. Two keys may have one hash, so a hash that is there already only means "perhaps".
 */
export class KeySet {
  /** Two halves of a hash a slot; a slot whose halves are both 0 is free. */
  private slots = new Uint32Array(2 * 64)
  private count = 0
  private isUnsure = false
  private readonly repeated: number[] = []
  private low = 0
  private high = 0

  /** `group`: a set that takes the keys of several sources, this one's too. */
  constructor(private readonly group?: KeySet) {}

  /** Whether all keys added were different for sure. */
  get areUnique(): boolean {
    return !this.isUnsure && this.repeated.length === 0
  }

  /** Numbers of the records whose key seems to have occurred before; null when that is not known of all. */
  get repeats(): readonly number[] | null {
    return this.isUnsure ? null : this.repeated
  }

  /** From now on nothing is known: a record was not seen. */
  giveUp(): void {
    this.isUnsure = true
    this.slots = new Uint32Array(0)
    this.group?.giveUp()
  }

  /** Begins a key; what was fed of an earlier one that was not added is forgotten. */
  begin(): void {
    this.low = 0x811c9dc5
    this.high = 0x9e3779b9 | 0
  }

  /** Takes a part of the key, which stands in bytes[start, end). */
  feed(bytes: Uint8Array, start: number, end: number): void {
    let { low, high } = this
    // FNV-1a beside another multiplicative hash; 64 bits make a chance hit among 4 million keys one in two million.
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!
      low = Math.imul(low ^ byte, 0x01000193)
      high = Math.imul(high ^ byte, 0x85ebca6b)
      high ^= high >>> 13
    }
    // An end of part, so that ('a', 'bc') and ('ab', 'c') differ.
    this.low = Math.imul(low ^ 0x100, 0x01000193)
    this.high = Math.imul(high ^ 0x100, 0x85ebca6b)
  }

  /** Adds the key that was fed since it was begun, of the record with this number. */
  add(recordNumber: number): void {
    const low = Math.imul(this.low ^ (this.low >>> 16), 0x7feb352d) >>> 0 || 1
    this.addHash(low, this.high >>> 0, recordNumber)
    this.group?.addHash(low, this.high >>> 0, recordNumber)
  }

  private addHash(low: number, high: number, recordNumber: number): void {
    if (this.isUnsure) return
    if (this.count * 4 >= this.slots.length && !this.grow()) this.giveUp()
    else if (!this.insert(low, high)) this.repeated.push(recordNumber)
    if (this.repeated.length > maxRepeats) this.giveUp()
  }

  /** Returns false when the hash is there. */
  private insert(low: number, high: number): boolean {
    const { slots } = this
    const mask = slots.length / 2 - 1
    let slot = (low ^ (high << 7)) & mask
    while (slots[slot * 2] !== 0 || slots[slot * 2 + 1] !== 0) {
      if (slots[slot * 2] === low && slots[slot * 2 + 1] === high) return false
      slot = (slot + 1) & mask
    }
    slots[slot * 2] = low
    slots[slot * 2 + 1] = high
    this.count++
    return true
  }

  private grow(): boolean {
    if (this.count >= maxKeys) return false
    const old = this.slots
    this.slots = new Uint32Array(old.length * 2)
    this.count = 0
    for (let i = 0; i < old.length; i += 2) if (old[i] !== 0 || old[i + 1] !== 0) this.insert(old[i]!, old[i + 1]!)
    return true
  }
}
