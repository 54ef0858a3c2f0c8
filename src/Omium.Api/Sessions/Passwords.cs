using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Omium.Api.Sessions;

/// <summary>
/// Passwords: PBKDF2 with HMAC-SHA-512 (ASP.NET Core's <see cref="PasswordHasher{TUser}"/>), at most as many at once as there are processors, because
/// each costs a tenth of a second by design. Whoever asks about an account that is not there pays the same.
/// </summary>
internal sealed class Passwords(IOptions<OmiumApiOptions> options) : IDisposable
{
    /// <summary>Shortest and longest password, in characters (NIST SP 800-63B-4: length, no composition rules).</summary>
    public const int LengthMin = 12, LengthMax = 256;

    private const int WaitingMax = 64;
    private static readonly object Anybody = new();
    private readonly PasswordHasher<object> _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = options.Value.PasswordIterations }));
    private readonly SemaphoreSlim _working = new(Environment.ProcessorCount);
    private string? _nobodys;
    private int _waiting;

    /// <summary>What is wrong with a password; null when nothing is.</summary>
    public static string? Problem(string password, string email)
    {
        if (password.Length is < LengthMin or > LengthMax)
        {
            return $"A password has {LengthMin} to {LengthMax} characters.";
        }

        return password.Distinct().Count() < 5 || email.Contains(password, StringComparison.OrdinalIgnoreCase) || password.Contains(email, StringComparison.OrdinalIgnoreCase)
            ? "This password would be guessed at once."
            : null;
    }

    /// <summary>The hash of a password; null when too many wait.</summary>
    public Task<string?> HashAsync(string password, CancellationToken cancellation) => RunAsync(() => _hasher.HashPassword(Anybody, password), cancellation);

    /// <summary>Whether a password is the one of a hash, and whether it should be hashed anew. A null hash costs the same and is never right.</summary>
    /// <returns>Null when too many wait.</returns>
    public async Task<(bool IsRight, bool IsOld)?> CheckAsync(string? hash, string password, CancellationToken cancellation)
    {
        _nobodys ??= _hasher.HashPassword(Anybody, Guid.NewGuid().ToString("N"));
        var result = await RunAsync(() => (PasswordVerificationResult?)_hasher.VerifyHashedPassword(Anybody, hash ?? _nobodys, password), cancellation);
        return result is { } known ? (hash is not null && known != PasswordVerificationResult.Failed, known == PasswordVerificationResult.SuccessRehashNeeded) : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _working.Dispose();

    private async Task<T?> RunAsync<T>(Func<T?> work, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _waiting) > WaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            return default;
        }

        try
        {
            await _working.WaitAsync(cancellation);
            try
            {
                return await Task.Run(work, CancellationToken.None);
            }
            finally
            {
                _working.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
