using System.Security.Cryptography;

namespace Omium.Runtime.Security;

/// <summary>Wraps the data keys of streams with a key that this port alone knows (a file on one machine, a key vault in a cloud).</summary>
public interface IKeyWrap
{
    /// <summary>Wraps a data key.</summary>
    byte[] Wrap(byte[] dataKey);

    /// <summary>Unwraps it again. Throws <see cref="CryptographicException"/> when it was wrapped by another key or changed.</summary>
    byte[] Unwrap(byte[] wrapped);
}

/// <summary>AES-256-GCM under one master key.</summary>
public sealed class LocalKeyWrap(byte[] masterKey) : IKeyWrap
{
    private readonly AesGcm _cipher = Seal.NewCipher(masterKey); // Kept: making one takes longer than wrapping a key.
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public byte[] Wrap(byte[] dataKey)
    {
        lock (_gate)
        {
            return Seal.Close(_cipher, dataKey, "omium.key.v1"u8);
        }
    }

    /// <inheritdoc/>
    public byte[] Unwrap(byte[] wrapped) => Seal.Open(masterKey, wrapped, "omium.key.v1"u8);
}

/// <summary>
/// AES-256-GCM (NIST SP 800-38D). Layout: 12 bytes nonce (random), the ciphertext, 16 bytes tag. The context is authenticated, not stored, so
/// that sealed bytes cannot be moved to another place unnoticed.
/// </summary>
public static class Seal
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;

    private const int NonceBytes = 12, TagBytes = 16;

    /// <summary>A fresh key.</summary>
    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(KeyBytes);

    /// <summary>Seals.</summary>
    public static byte[] Close(byte[] key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        using var cipher = NewCipher(key);
        return Close(cipher, plain, context);
    }

    /// <summary>A cipher to seal many times with one key. Not for use by two threads at once.</summary>
    public static AesGcm NewCipher(byte[] key) => new(key, TagBytes);

    /// <summary>Seals with a cipher that is kept (making one costs more than a small record).</summary>
    public static byte[] Close(AesGcm cipher, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        var result = new byte[NonceBytes + plain.Length + TagBytes];
        var nonce = result.AsSpan(0, NonceBytes);
        RandomBytes.Fill(nonce);
        cipher.Encrypt(nonce, plain, result.AsSpan(NonceBytes, plain.Length), result.AsSpan(NonceBytes + plain.Length), context);
        return result;
    }

    /// <summary>Opens. Throws <see cref="CryptographicException"/> when key, context or bytes are not those it was sealed with.</summary>
    public static byte[] Open(byte[] key, ReadOnlySpan<byte> closed, ReadOnlySpan<byte> context)
    {
        using var cipher = NewCipher(key);
        return Open(cipher, closed, context);
    }

    /// <summary>Opens with a cipher that is kept, for many of one key.</summary>
    public static byte[] Open(AesGcm cipher, ReadOnlySpan<byte> closed, ReadOnlySpan<byte> context)
    {
        if (closed.Length < NonceBytes + TagBytes)
        {
            throw new CryptographicException("sealed bytes are too short");
        }

        var plain = new byte[closed.Length - NonceBytes - TagBytes];
        cipher.Decrypt(closed[..NonceBytes], closed.Slice(NonceBytes, plain.Length), closed[^TagBytes..], plain, context);
        return plain;
    }
}
