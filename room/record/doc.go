// Package record has the types that stores, cluster and web share: points in a room's history, rows, ends, results, ratings
// and profiles. They are plain data. Other packages decide what they mean.
package record
