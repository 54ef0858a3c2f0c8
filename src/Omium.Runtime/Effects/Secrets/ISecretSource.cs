using System.Diagnostics.CodeAnalysis;

namespace Omium.Runtime.Effects.Secrets;

/// <summary>Where the values of <c>secrets.&lt;name&gt;</c> come from. Values are read at the moment of sending and kept nowhere.</summary>
public interface ISecretSource
{
    /// <summary>Looks a secret up. False when there is none of this name; then nothing is sent.</summary>
    bool TryGet(string name, [NotNullWhen(true)] out string? value);
}

/// <summary>Secrets from the process's environment: <c>secrets.crm_token</c> is <c>OMIUM_SECRET_CRM_TOKEN</c>.</summary>
public sealed class EnvironmentSecretSource : ISecretSource
{
    /// <summary>Start of every variable that holds a secret.</summary>
    public const string Prefix = "OMIUM_SECRET_";

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out string? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        value = Environment.GetEnvironmentVariable(Prefix + name.ToUpperInvariant());
        return value is not null;
    }
}
