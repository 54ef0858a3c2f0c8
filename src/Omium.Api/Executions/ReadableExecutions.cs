using System.Security.Cryptography;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>For lists over many executions: one that is damaged is left out of them, and takes none of the others with it.</summary>
internal static class ReadableExecutions
{
    /// <summary>The cell, or null where there is none or it cannot be read; whoever asks for that execution by its id is told why.</summary>
    public static ValueTask<ExecutionCell?> FindReadableAsync(this Advancer advancer, StreamId stream, CancellationToken cancellation) =>
        OrNoneAsync(() => advancer.FindAsync(stream, cancellation));

    /// <summary>What was read, or nothing where it cannot be.</summary>
    public static async ValueTask<T?> OrNoneAsync<T>(Func<ValueTask<T?>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception damaged) when (damaged is CorruptLogException or CryptographicException)
        {
            return default;
        }
    }
}
