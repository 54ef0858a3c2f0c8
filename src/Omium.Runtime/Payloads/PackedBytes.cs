using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Omium.Runtime.Payloads;

/// <summary>
/// Bytes as they are sealed: themselves, or compressed with Brotli (RFC 7932) where that saves an eighth. A record names an answer in its
/// command and again in its events; compressed, the second costs next to nothing. What is hashed as content (digests, "stored bytes equal") is
/// always the plain form, so a compressor that writes other bytes one day changes nothing.
/// </summary>
/// <remarks>Layout of the compressed form: <see cref="Mark"/>, the plain length (4 bytes, big-endian), the Brotli stream. JSON never begins with the mark.</remarks>
public static class PackedBytes
{
    /// <summary>First byte of the compressed form.</summary>
    public const byte Mark = 1;

    /// <summary>Shorter bytes are left as they are: most records are, and time is worth more than a few bytes.</summary>
    private const int LengthMin = 2_048;
    private const int HeadBytes = 5, Quality = 1, WindowBits = 22;
    private const int SampledFrom = 1_048_576, SampleBytes = 65_536;

    /// <summary>The form to seal; the same array when it is not compressed.</summary>
    public static byte[] Pack(byte[] plain)
    {
        ArgumentNullException.ThrowIfNull(plain);
        return plain.Length < LengthMin || (plain.Length > SampledFrom && !Saves(plain.AsSpan(0, SampleBytes))) ? plain : TryPack(plain) ?? plain;
    }

    /// <summary>The plain bytes of what was sealed.</summary>
    /// <exception cref="InvalidDataException">The compressed form is damaged.</exception>
    public static byte[] Unpack(byte[] stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (stored.Length == 0 || stored[0] != Mark)
        {
            return stored;
        }

        if (stored.Length > HeadBytes && BinaryPrimitives.ReadInt32BigEndian(stored.AsSpan(1)) is > 0 and var length && length <= Array.MaxLength)
        {
            var plain = new byte[length];
            if (BrotliDecoder.TryDecompress(stored.AsSpan(HeadBytes), plain, out var written) && written == length)
            {
                return plain;
            }
        }

        throw new InvalidDataException("compressed bytes are damaged");
    }

    private static bool Saves(ReadOnlySpan<byte> sample)
    {
        var packed = ArrayPool<byte>.Shared.Rent(SampleBytes);
        var saves = BrotliEncoder.TryCompress(sample, packed.AsSpan(0, sample.Length - (sample.Length / 8)), out _, Quality, WindowBits);
        ArrayPool<byte>.Shared.Return(packed);
        return saves;
    }

    private static byte[]? TryPack(byte[] plain)
    {
        var room = plain.Length - (plain.Length / 8);
        var packed = ArrayPool<byte>.Shared.Rent(room);
        try
        {
            if (!BrotliEncoder.TryCompress(plain, packed.AsSpan(0, room - HeadBytes), out var written, Quality, WindowBits))
            {
                return null;
            }

            var result = new byte[HeadBytes + written];
            result[0] = Mark;
            BinaryPrimitives.WriteInt32BigEndian(result.AsSpan(1), plain.Length);
            packed.AsSpan(0, written).CopyTo(result.AsSpan(HeadBytes));
            return result;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed, clearArray: true);
        }
    }
}
