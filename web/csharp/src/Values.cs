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
            int point; // counted from the first digit
            var digits = Shortest(Math.Abs(value), out point);
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

        /// <summary>
        /// The fewest digits that read back as a value above 0, and of those the nearest to it. They are rounded from its exact
        /// digits: some runtimes round twice when they format.
        /// </summary>
        private static string Shortest(double value, out int point)
        {
            var bits = BitConverter.DoubleToInt64Bits(value);
            var normal = bits >> 52 != 0;
            var exponent = (normal ? (int)(bits >> 52) : 1) - 1075;
            var mantissa = new BigInteger((bits & ((1L << 52) - 1)) | (normal ? 1L << 52 : 0));
            var exact = (exponent < 0 ? mantissa * BigInteger.Pow(5, -exponent) : mantissa << exponent).ToString(CultureInfo.InvariantCulture);
            point = exact.Length + Math.Min(exponent, 0);
            // Fewer than 15 digits that read back as a normal double are its 15 without their zeros; a subnormal one may have one.
            for (var n = normal ? 15 : 1; n < exact.Length; n++)
            {
                var digits = Rounded(exact, n);
                var text = digits + "E" + (point - n).ToString(CultureInfo.InvariantCulture);
                if (n < 17 && double.Parse(text, CultureInfo.InvariantCulture) != value) continue;
                point += digits.Length - n; // 999 may have become 1000
                return digits.TrimEnd('0');
            }
            return exact.TrimEnd('0');
        }

        /// <summary>The first n digits of more, rounded half to even.</summary>
        private static string Rounded(string exact, int n)
        {
            var digits = BigInteger.Parse(exact.Substring(0, n), CultureInfo.InvariantCulture);
            var half = exact[n] == '5' && exact.Skip(n + 1).All(c => c == '0');
            var up = half ? !digits.IsEven : exact[n] >= '5';
            return (up ? digits + 1 : digits).ToString(CultureInfo.InvariantCulture);
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
