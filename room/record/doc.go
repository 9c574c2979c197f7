// Package record has the words that stores, cluster and web share: points in a room's history, rows, ends, results, ratings,
// profiles. They are data; what they mean is decided in other packages.
package record
