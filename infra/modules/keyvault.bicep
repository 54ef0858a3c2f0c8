// Holds the master key. Purge protection: who deletes the vault by mistake can bring it back, and with it every stored body.
param name string
param location string
param tags object
param isPrivate bool

@secure()
param masterKey string

var secretName = 'omium-master-key'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isPrivate ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

// Written only when given: a second deployment without it leaves the key that seals what is stored.
resource secret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(masterKey)) {
  parent: vault
  name: secretName
  properties: { value: masterKey, contentType: 'base64, 32 bytes' }
}

output id string = vault.id
output name string = vault.name
output masterKeyUri string = '${vault.properties.vaultUri}secrets/${secretName}'
