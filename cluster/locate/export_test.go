package locate

// RingFirst is how many nodes of the ring are asked first.
const RingFirst = ringFirst
