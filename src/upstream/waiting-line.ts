// HOT
/**
 * A queue that members may leave from the middle. Order is kept; a leaver's place is emptied and
 * skipped later, so that leaving costs one look through the line and nothing is moved.
 */
export class WaitingLine<T> {
  size: number;
  private places: (T | null)[];
  private head: number;

  constructor() {
    this.size = 0;
    this.places = [];
    this.head = 0;
  }

  push(member: T): void {
    this.places.push(member);
    this.size++;
  }

  peek(): T | null {
    const { places } = this;
    while (this.head < places.length && places[this.head] === null) this.head++;
    if (this.head === places.length) {
      // Emptying an array costs more than looking: nothing is done where it is empty already.
      if (this.head > 0) {
        places.length = 0;
        this.head = 0;
      }
      return null;
    }
    return places[this.head]!;
  }

  shift(): T | null {
    const member = this.peek();
    if (member === null) return null;
    this.places[this.head++] = null;
    this.size--;
    // Compact once more than half of the array is behind us.
    if (this.head > 1024 && this.head * 2 > this.places.length) {
      this.places = this.places.slice(this.head);
      this.head = 0;
    }
    return member;
  }

  remove(member: T): void {
    const index = this.places.indexOf(member, this.head);
    if (index < 0) return;
    this.places[index] = null;
    this.size--;
  }
}
