using System.Security.Cryptography;

namespace Omium.Runtime.Security;

/// <summary>
/// Random bytes in small portions: nonces and ids. They come from <see cref="RandomNumberGenerator"/>, some hundred at a time for each thread, because
/// asking for twelve costs as much as asking for a thousand. Each byte is given out once and wiped here. Keys are drawn directly, never from here.
/// </summary>
internal static class RandomBytes
{
    private const int DrawnBytes = 768;

    [ThreadStatic]
    private static byte[]? _drawn;

    [ThreadStatic]
    private static int _left;

    /// <summary>Fills with random bytes.</summary>
    public static void Fill(Span<byte> destination)
    {
        if (destination.Length > DrawnBytes)
        {
            RandomNumberGenerator.Fill(destination);
            return;
        }

        var drawn = _drawn ??= new byte[DrawnBytes];
        if (_left < destination.Length)
        {
            RandomNumberGenerator.Fill(drawn);
            _left = DrawnBytes;
        }

        _left -= destination.Length;
        var given = drawn.AsSpan(_left, destination.Length);
        given.CopyTo(destination);
        given.Clear();
    }
}
