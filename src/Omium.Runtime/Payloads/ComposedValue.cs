using System.Buffers;
using System.Security.Cryptography;

namespace Omium.Runtime.Payloads;

/// <summary>What a piece of a composed payload is.</summary>
internal enum PieceKind : byte
{
    /// <summary>Bytes as they are.</summary>
    Literal = 0,

    /// <summary>A text that is a payload of its own, named by the SHA-256 of its canonical bytes.</summary>
    Value = 1,

    /// <summary>An array: its brackets around the items of a list.</summary>
    List = 2,

    /// <summary>Only first in a list's node: the items of the list before, which this one continues.</summary>
    Previous = 3,
}

/// <summary>One piece. <paramref name="Bytes"/>: a literal's bytes, else the 32 bytes of the name. <paramref name="Length"/>: bytes it stands for.</summary>
internal readonly record struct Piece(PieceKind Kind, ReadOnlyMemory<byte> Bytes, int Length)
{
    /// <summary>The key under which a value is stored.</summary>
    public string Key => Kind == PieceKind.Value ? Convert.ToHexStringLower(Bytes.Span) : ComposedValue.ListKey(Bytes.Span);
}

/// <summary>
/// A payload stored as pieces, so that what two values have in common is stored once.
/// <code>
/// {"history":["...1","...2"],"topic":"x"}     the payload, under its SHA-256
///   literal {"history":  ·  list L2  ·  literal ,"topic":"x"}
///                              |
///   list.L2   previous L1 · literal ,  · value "...2"
///   list.L1   value "...1"
/// </code>
/// The name of a list is a chain over its items, L(i) = SHA-256(L(i-1), item i): whichever way it came to be stored, the list of the same
/// items has the same name, and one that extends it stores its new items only.
/// </summary>
internal static class ComposedValue
{
    /// <summary>First byte of a payload that is stored as pieces. JSON never begins with it.</summary>
    public const byte Mark = 2;

    /// <summary>The list without items.</summary>
    public static readonly byte[] EmptyList = SHA256.HashData("omium.list.v1"u8);

    /// <summary>The key of a list's newest node.</summary>
    public static string ListKey(ReadOnlySpan<byte> name) => "list." + Convert.ToHexStringLower(name);

    /// <summary>True when the bytes are pieces.</summary>
    public static bool IsComposed(byte[] plain) => plain.Length > 0 && plain[0] == Mark;

    /// <summary>The pieces, in order.</summary>
    /// <exception cref="InvalidDataException">The bytes are cut short or are no pieces.</exception>
    public static List<Piece> Read(byte[] composed)
    {
        var pieces = new List<Piece>();
        for (var at = 1; at < composed.Length;)
        {
            var kind = (PieceKind)composed[at++];
            var length = ReadLength(composed, ref at);
            var size = kind == PieceKind.Literal ? length : SHA256.HashSizeInBytes;
            if (kind > PieceKind.Previous || size > composed.Length - at || (kind == PieceKind.Previous && pieces.Count > 0))
            {
                throw new InvalidDataException("a composed payload is damaged");
            }

            pieces.Add(new Piece(kind, composed.AsMemory(at, size), length));
            at += size;
        }

        return pieces;
    }

    /// <summary>Appends a piece.</summary>
    public static void Write(ArrayBufferWriter<byte> output, PieceKind kind, int length, ReadOnlySpan<byte> bytes)
    {
        var head = output.GetSpan(6);
        head[0] = (byte)kind;
        var count = 1;
        for (var rest = (uint)length; ; rest >>= 7)
        {
            head[count++] = (byte)(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
            if (rest < 0x80)
            {
                break;
            }
        }

        output.Advance(count);
        output.Write(bytes);
    }

    /// <summary>An unsigned number in groups of seven bits, the lowest first.</summary>
    private static int ReadLength(byte[] composed, ref int at)
    {
        long length = 0;
        for (var shift = 0; at < composed.Length && shift < 35; shift += 7)
        {
            var part = composed[at++];
            length |= (long)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return length <= Array.MaxLength ? (int)length : throw new InvalidDataException("a composed payload is too long");
            }
        }

        throw new InvalidDataException("a composed payload is damaged");
    }
}
