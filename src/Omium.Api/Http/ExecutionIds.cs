using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Omium.Api.Http;

/// <summary>
/// Ids in Crockford's base 32, lower case: digits and letters without i, l, o and u, so that they survive being read aloud. An execution's is a
/// UUID version 7 (RFC 9562), which begins with the time: newer ids sort behind older ones.
/// </summary>
public static class ExecutionIds
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private static readonly SearchValues<char> AlphabetSet = SearchValues.Create(Alphabet);
    private const int Digits = 26;
    private const string Prefix = "exe_";

    /// <summary>A fresh id, <c>exe_</c> and 26 digits.</summary>
    public static string New(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);
        var value = new UInt128(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        return string.Create(Prefix.Length + Digits, value, static (text, rest) =>
        {
            Prefix.CopyTo(text);
            for (var at = text.Length - 1; at >= Prefix.Length; at--)
            {
                text[at] = Alphabet[(int)(rest & 31)];
                rest >>= 5;
            }
        });
    }

    /// <summary>True for what may be an execution's id: anything else is not looked up at all.</summary>
    public static bool IsWellFormed(string id) =>
        id.Length == Prefix.Length + Digits && id.StartsWith(Prefix, StringComparison.Ordinal) && !id.AsSpan(Prefix.Length).ContainsAnyExcept(AlphabetSet);

    /// <summary>Random digits, five bits each.</summary>
    public static string Random(int digits) => RandomNumberGenerator.GetString(Alphabet, digits);
}
