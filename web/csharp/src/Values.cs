using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>JSON values: merge patches, checksums, and what may be said of them.</summary>
    public static class Values
    {
        private const long MaxInt = (1L << 53) - 1; // beyond it floats stand for several whole numbers
        private const int MaxDepth = 1024; // of what is read
        private static readonly Regex longNumber = new Regex(@"\d{17}");
        private static readonly Regex textOrNumber = new Regex(@"""(?:[^""\\]|\\.)*""|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?");
        private static readonly uint[] table = MakeTable();

        /// <summary>Applies a JSON Merge Patch (RFC 7396). Neither argument is changed.</summary>
        public static JToken Patch(JToken target, JToken patch)
        {
            var changes = patch as JObject;
            if (changes == null) return patch.DeepClone();
            var result = target is JObject ? (JObject)target.DeepClone() : new JObject();
            Merge(result, changes);
            return result;
        }

        private static void Merge(JObject target, JObject changes)
        {
            foreach (var change in changes.Properties())
            {
                var inner = change.Value as JObject;
                if (change.Value.Type == JTokenType.Null) target.Remove(change.Name);
                else if (inner == null) target[change.Name] = change.Value.DeepClone();
                else
                {
                    if (!(target[change.Name] is JObject)) target[change.Name] = new JObject();
                    Merge((JObject)target[change.Name], inner);
                }
            }
        }

        /// <summary>The CRC-32 (IEEE 802.3) of the canonical JSON (RFC 8785).</summary>
        public static uint Checksum(JToken value)
        {
            var text = new StringBuilder();
            Canonical(text, value);
            var crc = uint.MaxValue;
            foreach (var b in Encoding.UTF8.GetBytes(text.ToString())) crc = table[(crc ^ b) & 255] ^ (crc >> 8);
            return ~crc;
        }

        private static uint[] MakeTable()
        {
            var made = new uint[256];
            for (uint n = 0; n < 256; n++)
            {
                made[n] = n;
                for (var bit = 0; bit < 8; bit++) made[n] = (made[n] & 1) != 0 ? 0xedb88320 ^ (made[n] >> 1) : made[n] >> 1;
            }
            return made;
        }

        private static void Canonical(StringBuilder text, JToken value)
        {
            switch (value.Type)
            {
                case JTokenType.Object:
                    // By UTF-16 code units, as the RFC asks.
                    var members = ((JObject)value).Properties().OrderBy(p => p.Name, StringComparer.Ordinal);
                    Join(text, '{', '}', members, p => { Quote(text, p.Name); text.Append(':'); Canonical(text, p.Value); });
                    break;
                case JTokenType.Array:
                    Join(text, '[', ']', (JArray)value, item => Canonical(text, item));
                    break;
                case JTokenType.String: Quote(text, (string)value); break;
                case JTokenType.Boolean: text.Append((bool)value ? "true" : "false"); break;
                case JTokenType.Null: text.Append("null"); break;
                default: Number(text, (double)value); break;
            }
        }

        private static void Join<T>(StringBuilder text, char open, char close, IEnumerable<T> items, Action<T> write)
        {
            text.Append(open);
            var first = true;
            foreach (var item in items)
            {
                if (!first) text.Append(',');
                first = false;
                write(item);
            }
            text.Append(close);
        }

        private static void Quote(StringBuilder text, string s)
        {
            const string special = "\b\t\n\f\r\"\\", letters = "btnfr\"\\";
            text.Append('"');
            foreach (var c in s)
            {
                var i = special.IndexOf(c);
                if (i >= 0) text.Append('\\').Append(letters[i]);
                else if (c < ' ') text.Append("\\u").Append(((int)c).ToString("x4"));
                else text.Append(c);
            }
            text.Append('"');
        }

        /// <summary>Writes a double as ECMAScript does: the shortest digits that read back as it.</summary>
        private static void Number(StringBuilder text, double value)
        {
            if (value == Math.Truncate(value) && Math.Abs(value) <= MaxInt)
            {
                text.Append(((long)value).ToString(CultureInfo.InvariantCulture));
                return;
            }
            var written = Shortest(Math.Abs(value)); // such as 125E-2
            var e = written.IndexOf('E');
            var digits = written.Substring(0, e);
            var point = int.Parse(written.Substring(e + 1), CultureInfo.InvariantCulture) + digits.Length; // counted from the first digit
            digits = digits.TrimEnd('0');
            if (value < 0) text.Append('-');
            if (point > 21 || point <= -6)
            {
                text.Append(digits[0]);
                if (digits.Length > 1) text.Append('.').Append(digits, 1, digits.Length - 1);
                text.Append('e').Append(point > 0 ? '+' : '-').Append(Math.Abs(point - 1));
            }
            else if (point <= 0) text.Append("0.").Append('0', -point).Append(digits);
            else if (point >= digits.Length) text.Append(digits).Append('0', point - digits.Length);
            else text.Append(digits, 0, point).Append('.').Append(digits, point, digits.Length - point);
        }

        private static string Shortest(double value)
        {
            // 15 digits tell ordinary doubles from each other if fewer do; subnormal ones have fewer.
            for (var n = value < 1e-290 ? 1 : 15; ; n++)
            {
                var text = Digits(value, n);
                if (n == 17 || double.Parse(text, CultureInfo.InvariantCulture) == value) return text;
            }
        }

        /// <summary>Rounds a double to so many digits, exactly, which not every runtime's own formats do.</summary>
        private static string Digits(double value, int n)
        {
            var bits = BitConverter.DoubleToInt64Bits(value);
            var power = (int)(bits >> 52);
            BigInteger above = (bits & MaxInt >> 1) | (power == 0 ? 0 : 1L << 52), below = 1;
            power = Math.Max(power, 1) - 1075;
            if (power > 0) above <<= power;
            else below <<= -power;
            for (var exponent = (int)Math.Floor(Math.Log10(value)); ; exponent++)
            {
                var shift = n - 1 - exponent;
                var up = above * BigInteger.Pow(10, Math.Max(shift, 0));
                var down = below * BigInteger.Pow(10, Math.Max(-shift, 0));
                var digits = (2 * up + down) / (2 * down);
                if (digits < BigInteger.Pow(10, n)) return digits + "E" + -shift;
            }
        }

        /// <summary>Reads one JSON value, and leaves texts that look like dates alone. It throws JsonException at all else.</summary>
        public static JToken Read(string text)
        {
            // Servers write 1e20 as its digits. Whole numbers beyond 64 bits are misread by some versions of Newtonsoft.Json.
            if (longNumber.IsMatch(text)) text = textOrNumber.Replace(text, m => m.Length >= 17 && m.Value.TrimStart('-').All(char.IsDigit) ? m.Value + ".0" : m.Value);
            using (var reader = new JsonTextReader(new StringReader(text)))
            {
                reader.DateParseHandling = DateParseHandling.None;
                reader.MaxDepth = MaxDepth;
                var value = JToken.ReadFrom(reader);
                if (reader.Read()) throw new JsonReaderException("more than one value on a line");
                return value;
            }
        }

        /// <summary>The JSON of an action. One that no server takes would end the session for good, so it is refused here.</summary>
        internal static string Said(object action)
        {
            var value = action == null ? JValue.CreateNull() : action as JToken ?? JToken.FromObject(action);
            Check(value, 31);
            return value.ToString(Formatting.None);
        }

        private static void Check(JToken value, int depth)
        {
            if (value is JContainer && !(value is JProperty))
            {
                if (depth == 0) throw new RejectedException("bad_action", "Arrays and objects of the action are too deep in one another: 31 is the most.");
                foreach (var member in value.Children())
                {
                    var property = member as JProperty;
                    if (property != null) CheckText(property.Name);
                    Check(property == null ? member : property.Value, depth - 1);
                }
            }
            else if (value.Type == JTokenType.String) CheckText((string)value);
            else if (value.Type == JTokenType.Integer || value.Type == JTokenType.Float) CheckNumber((double)value);
        }

        private static void CheckText(string text)
        {
            for (var i = 0; i < text.Length; i++)
            {
                if (!char.IsSurrogate(text[i])) continue;
                if (!char.IsSurrogatePair(text, i)) throw new RejectedException("bad_text", "A text in the action has half a surrogate pair: it is no Unicode.");
                i++;
            }
        }

        private static void CheckNumber(double n)
        {
            if (double.IsNaN(n) || double.IsInfinity(n)) throw new RejectedException("bad_action", "A number in the action is no number of JSON.");
            if (n == Math.Truncate(n) && Math.Abs(n) > MaxInt) throw new RejectedException("bad_action", "A whole number in the action is beyond ±(2⁵³−1): send it as text.");
        }
    }
}
