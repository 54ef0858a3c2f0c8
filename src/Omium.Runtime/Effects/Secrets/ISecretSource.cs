namespace Omium.Runtime.Effects.Secrets;

/// <summary>Where the values of <c>secrets.&lt;name&gt;</c> come from. Values are read at the moment of sending and kept nowhere.</summary>
public interface ISecretSource
{
    /// <summary>A tenant's secret; null when it has none of this name: then nothing is sent.</summary>
    ValueTask<string?> FindAsync(string tenant, string name, CancellationToken cancellation = default);
}

/// <summary>
/// Secrets from the process's environment: <c>secrets.crm_token</c> is <c>OMIUM_SECRET_CRM_TOKEN</c>. They belong to whoever started the process, so
/// they serve one tenant only: another one's workflow could send them wherever it likes.
/// </summary>
public sealed class EnvironmentSecretSource(string owner) : ISecretSource
{
    /// <summary>Start of every variable that holds a secret.</summary>
    public const string Prefix = "OMIUM_SECRET_";

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(string tenant, string name, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new(tenant == owner ? Environment.GetEnvironmentVariable(Prefix + name.ToUpperInvariant()) : null);
    }
}

/// <summary>The first of several sources that has a secret.</summary>
public sealed class FirstSecretSource(params IReadOnlyList<ISecretSource> sources) : ISecretSource
{
    /// <inheritdoc/>
    public async ValueTask<string?> FindAsync(string tenant, string name, CancellationToken cancellation = default)
    {
        foreach (var source in sources)
        {
            if (await source.FindAsync(tenant, name, cancellation) is { } value)
            {
                return value;
            }
        }

        return null;
    }
}
