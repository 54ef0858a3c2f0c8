namespace Omium.Runtime.Effects;

/// <summary>A body is larger than the installation allows.</summary>
internal sealed class BodyTooLargeException(long bytesMax) : Exception($"The answer is larger than {bytesMax} bytes.");

/// <summary>Reads bodies of unknown size with flat memory.</summary>
internal static class BoundedBody
{
    /// <summary>Reads to the end.</summary>
    /// <exception cref="BodyTooLargeException">There is more than <paramref name="bytesMax"/>; at most that much was kept.</exception>
    public static async Task<byte[]> ReadAsync(Stream body, long bytesMax, CancellationToken cancellation)
    {
        var kept = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var count = await body.ReadAsync(buffer, cancellation);
            if (count == 0)
            {
                return kept.ToArray();
            }

            if (kept.Length + count > bytesMax)
            {
                throw new BodyTooLargeException(bytesMax);
            }

            kept.Write(buffer, 0, count);
        }
    }

    /// <summary>Reads at most <paramref name="bytesMax"/> and ignores the rest: for texts of errors.</summary>
    public static async Task<byte[]> ReadStartAsync(Stream body, int bytesMax, CancellationToken cancellation)
    {
        var kept = new byte[bytesMax];
        var count = await body.ReadAtLeastAsync(kept, bytesMax, throwOnEndOfStream: false, cancellation);
        return kept[..count];
    }
}
